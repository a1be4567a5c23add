"""What the web process does before somebody asks."""

import pytest

from postroom.config import serve
from postroom.lib import process


def test_every_view_and_template_is_loaded_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, loaded = [], []
    monkeypatch.setattr(process, "keep_what_is_loaded", lambda: kept.append(len(loaded)))
    monkeypatch.setattr(serve, "get_template", loaded.append)
    serve.load_ahead()
    assert {"inbox/list.html", "ui/components/button.html", "records/row.html"} <= set(loaded)
    assert kept == [len(loaded)]
