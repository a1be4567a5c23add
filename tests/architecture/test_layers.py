"""What imports do not show: foreign keys given by name, and templates that extend or include others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from tests.architecture.house import ROOT, may_use

OURS = ROOT / "postroom"
_DJANGO_LOOKS_FOR = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}
_REFERENCE = re.compile(r"""\{%-?\s*(?:extends|include)\s+["']([^"']+)["']""")


def _package(model: type[models.Model]) -> str | None:
    """`mail` for postroom.mail.models.Message; None for other people's models."""
    parts = model.__module__.split(".")
    return parts[1] if parts[0] == "postroom" else None


def _relations() -> Iterator[tuple[str, str, str]]:
    """(package, package pointed at, name of the field) of every relation between our models."""
    for model in apps.get_models(include_auto_created=True):
        package = _package(model)
        for field in model._meta.get_fields(include_hidden=True) if package else ():
            if not isinstance(field, models.ForeignKey | models.ManyToManyField):
                continue
            other = _package(field.related_model)  # type: ignore[arg-type]
            if package and other:
                yield package, other, f"{model.__name__}.{field.name}"


def _references() -> Iterator[tuple[Path, str, str]]:
    """(template, its package, template it names) of every extends and include with a plain name."""
    for template in sorted(OURS.glob("*/templates/**/*.html")):
        package = template.relative_to(OURS).parts[0]
        for name in _REFERENCE.findall(template.read_text()):
            yield template, package, name


def test_relations_point_down_the_house() -> None:
    found = list(_relations())
    assert len(found) > 30, "the models are no longer found"
    assert [f"{field}: {package} -> {other}" for package, other, field in found if not may_use(package, other)] == []


def test_templates_extend_and_include_only_their_own_and_those_below() -> None:
    found = list(_references())
    assert len(found) > 50, "the templates are no longer found"
    wrong = [
        f"{template.relative_to(ROOT)}: {name}"
        for template, package, name in found
        if not may_use(package, name.partition("/")[0])
    ]
    assert wrong == []


def test_every_named_template_exists() -> None:
    known = {str(path.relative_to(folder)) for folder in OURS.glob("*/templates") for path in folder.rglob("*.html")}
    missing = {name for _, _, name in _references()} - known
    assert missing == set()


def test_a_package_keeps_its_templates_and_files_under_its_own_name() -> None:
    strays = [
        str(inside.relative_to(ROOT))
        for kind in ("templates", "static")
        for folder in OURS.glob(f"*/{kind}")
        for inside in folder.iterdir()
        if inside.name not in {folder.parent.name, *_DJANGO_LOOKS_FOR}
    ]
    assert strays == []


@pytest.mark.parametrize("package", sorted(path.name for path in OURS.iterdir() if (path / "__init__.py").is_file()))
def test_every_package_has_a_place_in_the_house(package: str) -> None:
    assert may_use(package, package)
    assert not may_use("lib", package) or package == "lib"
