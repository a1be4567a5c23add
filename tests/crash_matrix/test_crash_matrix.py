"""A small part of ``make crash-matrix`` in every run of the suite: each way out, with accidents of every kind."""

from tests.crash_matrix.letters import LETTERS, wrong_with
from tests.crash_matrix.matrix import several, single
from tests.crash_matrix.office import Accident, office


def test_every_way_goes_out_once_though_its_connection_is_lost_and_its_worker_killed(database: None) -> None:
    """The answer to the hand-over is lost, and two workers are killed as they look what became of it."""
    with office() as one:
        for name, write in LETTERS.items():
            hand_over = "SMTP text" if name == "mail server" else "POST send"
            letter = write(one)
            one.send(letter.composition, [Accident("reset after", hand_over), Accident("kill", 8), Accident("kill", 3)])
            assert f"after {hand_over}" in one.happened[0] and len(one.happened) == 3, (name, one.happened)
            assert not wrong_with(one, letter), (name, one.happened)
        assert not one.differences()


def test_every_step_has_its_turn_and_a_number_means_the_same_each_time() -> None:
    sizes = {"send": (4, 2), "reply": (3, 1)}
    cells = single(sizes)
    assert len(cells) == len(set(cells)) == 4 + 2 * 2 + 3 + 2 * 1
    assert cells == single(sizes) and several(900, sizes) == several(900, sizes)
    assert 2 <= len(several(900, sizes).accidents) <= 4
