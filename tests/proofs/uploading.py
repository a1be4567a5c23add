"""A process that uploads one stored file as a worker does, and says how much memory that took.

order (argv): {"url": "http://127.0.0.1:1234", "workspace": 1, "sha256": "…", "size": 157286400}
answer:       {"idle": 61000, "peak": 78000}     (kilobytes of resident memory)
"""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace


def main() -> None:
    order = json.loads(sys.argv[1])
    import django

    django.setup()
    from postroom.config import urls  # noqa: F401  # what a worker has loaded when work arrives
    from postroom.files import storage
    from postroom.providers.budget import Budget
    from postroom.providers.contract import OutgoingAttachment
    from postroom.providers.microsoft.client import Graph
    from postroom.providers.microsoft.upload import Upload

    blob = SimpleNamespace(workspace_id=order["workspace"], sha256=order["sha256"], size=order["size"])
    opener = storage.opener(blob)  # type: ignore[arg-type]
    file = OutgoingAttachment(name="film.mp4", content_type="video/mp4", size=order["size"], open=opener)
    graph = Graph(url=order["url"], token=lambda **_: "token", budget=Budget())
    idle = int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0])
    upload = Upload(graph, "/me/messages/1", file, fresh=lambda work: work(), sleep=lambda seconds: None)
    for _ in upload.run():
        pass
    # Not ru_maxrss: that remembers the process which started this one.
    peak = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0])
    print(json.dumps({"idle": idle, "peak": peak}))  # noqa: T201


if __name__ == "__main__":
    main()
