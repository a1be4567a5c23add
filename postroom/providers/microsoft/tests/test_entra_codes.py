import pytest

from postroom.providers import errors
from postroom.providers.microsoft.entra_codes import CODES, STATES, SUBERRORS, WORDS, fault
from postroom.providers.microsoft.features import FEATURES

# Every code of graph.md 1.8.
KNOWN = [
    65001, 65004, 65005, 650056, 650057, 650054, 650052, 90094, 90095, 90093, 90008, 90099, 50105, 50076, 50074, 50078,
    50072, 50079, 50158, 53000, 53001, 53002, 53003, 530032, 530035, 53011, 530034, 50131, 50097, 50129, 70043, 70008,
    700082, 700084, 70000, 50173, 50132, 50133, 50089, 50085, 50055, 50057, 50053, 50034, 51004, 50020, 16000, 500208,
    50058, 16003, 700016, 700011, 70001, 7000112, 50194, 9002332, 50011, 900971, 70011, 28002, 28003, 700022, 700023,
    54005, 501481, 50147, 501491, 700005, 7000215, 7000222, 7000218, 70002, 50196, 90055, 90033, 90090, 90024, 50033,
    90006, 90012, 70012, 530036, 500011, 50001,
]  # fmt: skip


@pytest.mark.parametrize("number", KNOWN)
@pytest.mark.parametrize("connecting", [True, False])
def test_every_known_code_has_a_meaning_while_connecting_and_while_refreshing(number: int, connecting: bool) -> None:
    assert number in CODES
    error = fault(error="invalid_grant", numbers=(number,), connecting=connecting)
    assert isinstance(error, errors.ProviderError)
    assert error.code == f"AADSTS{number}"
    if not connecting:
        assert not isinstance(error, errors.ConnectRefused)


def test_the_tables_name_only_states_that_exist() -> None:
    assert {*CODES.values(), *WORDS.values(), *SUBERRORS.values()} == set(STATES)


def test_our_own_faults_never_disconnect_a_member() -> None:
    for number in (7000215, 7000222, 7000218, 50011, 50194):
        assert isinstance(fault(error="invalid_client", numbers=(number,), connecting=False), errors.OperatorFault)


def test_reasons_are_those_the_contract_documents() -> None:
    text = errors.__doc__ or ""
    words = set(text.replace("|", " ").split())
    reasons = {reason for state in STATES.values() for _, reason in (state.connecting, state.refreshing) if reason}
    assert reasons <= words


def test_every_feature_says_in_words_what_its_scopes_allow() -> None:
    scopes = [scope for feature in FEATURES for scope in feature.scopes]
    assert len(scopes) == len(set(scopes))
    assert all(feature.permissions and all(feature.permissions) for feature in FEATURES)
