"""The mailbox's list of categories. Source: graph.md 2.11: names are unique and stay, 25 preset colours."""

from msgspec import Struct

from postroom.providers.contract import RemoteCategory, Urgency
from postroom.providers.microsoft.client import Ask
from postroom.providers.microsoft.decode import decode
from postroom.providers.microsoft.mailbox import Mailbox
from postroom.providers.microsoft.messages import text

_PRESET = "preset"


class WireCategory(Struct, rename="camel"):
    id: str
    display_name: str | None = None
    color: str | None = None


class Categories(Mailbox):
    def categories(self) -> tuple[RemoteCategory, ...]:
        page = self._graph.page(self._list, WireCategory, urgency=Urgency.DELTA)
        return tuple(_category(wire) for wire in page.value if isinstance(wire, WireCategory))

    def create_category(self, *, name: str, color: int | None = None) -> RemoteCategory:
        body = {"displayName": name, "color": "none" if color is None else f"{_PRESET}{color}"}
        answer = self._graph.call(Ask(path=self._list, method="POST", body=body, safe=False), urgency=Urgency.USER)
        return _category(decode(answer.body, WireCategory, safe=False))

    @property
    def _list(self) -> str:
        return f"{self._root}/outlook/masterCategories"


def _category(wire: WireCategory) -> RemoteCategory:
    number = (wire.color or "").removeprefix(_PRESET)
    color = int(number) if number.isdecimal() and int(number) < 25 else None
    return RemoteCategory(id=wire.id, name=text(wire.display_name) or "", color=color)
