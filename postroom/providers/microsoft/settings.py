"""What the operator says about Microsoft. The only place that reads the environment for this connector."""

import os
from collections.abc import Mapping

from msgspec import Struct

LOGIN_URL = "https://login.microsoftonline.com"
GRAPH_URL = "https://graph.microsoft.com"


class Settings(Struct, frozen=True, kw_only=True):
    """Our registration in Entra and where Microsoft is. ``graph_url`` ends in ``/v1.0``; no URL ends in a slash."""

    client_id: str
    client_secret: str
    tenant: str = "common"
    login_url: str = LOGIN_URL
    graph_url: str = GRAPH_URL + "/v1.0"

    def __repr__(self) -> str:  # the secret stays out of logs
        return f"Settings(client_id={self.client_id!r}, tenant={self.tenant!r}, graph_url={self.graph_url!r})"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of ``contracts/interfaces.md``. A missing client id shows when somebody connects, not at start."""

    def read(name: str, default: str = "") -> str:
        return environment.get(f"MICROSOFT_{name}", "").strip() or default

    return Settings(
        client_id=read("CLIENT_ID"),
        client_secret=read("CLIENT_SECRET"),
        tenant=read("TENANT", "common"),
        login_url=read("LOGIN_URL", LOGIN_URL).rstrip("/"),
        graph_url=read("GRAPH_URL", GRAPH_URL).rstrip("/").removesuffix("/v1.0") + "/v1.0",
    )
