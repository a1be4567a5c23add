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


def test_a_large_file_goes_on_where_it_was_however_often_its_worker_is_killed(database: None) -> None:
    with office() as one:
        letter = LETTERS["large"](one)
        one.send(letter.composition, [Accident("kill", "PUT AttachmentSessions")] * 4)
        assert len(one.happened) == 4 and not wrong_with(one, letter)
        assert one.asked.count("POST createUploadSession") == 1
        assert sum(name.startswith("PUT ") for name in one.asked) == 5


def test_accidents_that_did_not_happen_to_a_message_do_not_happen_to_the_next(database: None) -> None:
    """A kill that was still to come ended a worker that had nothing to do with it: run 404 of the first matrix."""
    with office() as one:
        letter = LETTERS["send"](one)
        one.send(letter.composition, [Accident("kill", "POST send"), *[Accident("kill", 500)] * 2])
        assert len(one.happened) == 1 and not wrong_with(one, letter)
        letter = LETTERS["send"](one)
        one.send(letter.composition)
        assert not one.happened and not wrong_with(one, letter)


def test_every_step_has_its_turn_and_a_number_means_the_same_each_time() -> None:
    sizes = {"send": (4, 2), "reply": (3, 1)}
    cells = single(sizes)
    assert len(cells) == len(set(cells)) == 4 + 2 * 2 + 3 + 2 * 1
    assert cells == single(sizes) and several(900, sizes) == several(900, sizes)
    assert 2 <= len(several(900, sizes).accidents) <= 4
