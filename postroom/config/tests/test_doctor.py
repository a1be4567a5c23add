"""What the doctor says must be true of the rest."""

from django.urls import reverse

from postroom.config import doctor


def test_the_redirect_uri_to_register_is_the_one_that_is_answered() -> None:
    assert reverse("mailboxes:callback", args=["microsoft"]) == doctor.CALLBACK
