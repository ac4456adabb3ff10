"""The trained intent model: that its weights are the right ones, and what holds without them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.offline.brain import Brain, Names
from agent.offline.declared import digest, label
from agent.offline.intent import SEVERAL
from agent.offline.parse import Parser
from agent.offline.splitting import Piece, best_split
from agent.offline.weights import dumps, loads, shipped
from tests.understanding.fleet import NAMES
from tools.catalog import TOOLS
from tools.contract import Phrases, reading
from tools.words import Deployment


def test_the_weights_belong_to_the_corpus_and_the_declarations():
    corpus = pytest.importorskip("bench.intents.corpus")
    assert shipped().corpus == corpus.digest(), "run make understanding"


def test_the_weights_know_every_tool_as_it_is_declared():
    known = shipped().declared
    assert {t.name: digest(label(t)) for t in TOOLS} == {t.name: known.get(t.name) for t in TOOLS}


def test_every_tool_has_a_label():
    assert {t.name for t in TOOLS} <= set(shipped().labels)
    assert SEVERAL in shipped().labels


def test_a_tool_that_the_weights_do_not_know_is_found_by_its_phrases():
    @reading(
        Phrases(
            en=("polish {deployment}", "make {deployment} shiny", "give {deployment} a polish"),
            zh=("擦亮 {deployment}", "把 {deployment} 抛光"),
        )
    )
    def polish(world, deployment: Deployment):
        """Polish a deployment."""

    planner = Brain((*TOOLS, polish), NAMES)
    for said in (
        "could you polish ranker please",
        "polish up fraud-detector",
        "把 ranker 抛光一下",
    ):
        assert [c.tool for c in planner.understand(said).calls] == ["polish"]
    assert [c.tool for c in planner.understand("restart ranker").calls] == ["restart"]


def test_a_tool_that_is_not_in_the_catalogue_is_never_called():
    rest = [tool for tool in TOOLS if tool.name != "restart"]
    planner = Brain(rest, Names(), Parser(rest))
    assert all(c.tool != "restart" for c in planner.understand("restart ranker").calls)


def test_shares_add_up_to_one():
    parse = Parser(TOOLS)
    from agent.offline.fill import Material
    from agent.offline.text import read

    shares = parse.parse(Material(read("restart ranker"), ())).reading.shares
    assert sum(share for _, share in shares) == pytest.approx(1.0)
    assert shares[0][0] == "restart"


CLAUSES = {
    (0, 0): Piece(0.9, True),
    (1, 1): Piece(0.95, True),
    (2, 2): Piece(0.3, True),
    (0, 1): Piece(0.5, True),
    (1, 2): Piece(0.97, True),
    (0, 2): Piece(0.4, True),
}


def test_a_message_is_cut_where_its_pieces_are_likeliest():
    runs = best_split(3, lambda first, last: (first, last), CLAUSES.__getitem__, 0.9)
    assert runs == [(0, 0), (1, 2)]


def test_a_message_that_hardly_asks_twice_stays_whole():
    runs = best_split(3, lambda first, last: (first, last), CLAUSES.__getitem__, 0.01)
    assert runs == [(0, 2)]


def test_one_clause_is_one_request():
    assert best_split(1, lambda first, last: (first, last), lambda _: Piece(0.1, False), 0.5) == [
        (0, 0)
    ]


def test_a_file_of_weights_is_read_as_it_was_written():
    from array import array

    known = shipped()
    names = ("labels", "vocabulary", "cues", "worded", "declared", "corpus")
    head = {name: getattr(known, name) for name in names}
    net = known.net
    head["net"] = {n: getattr(net, n) for n in ("scale", "bias", "out", "tops")}
    again = loads(dumps(head, array("I", known.row), known.idf, bytes(net.rows)))
    assert replace(again, net=replace(again.net, rows=net.rows)) == known
    assert again.net.rows == net.rows
