"""Catalogues: searching against what a loop over all documents finds, by index; versions; many at once."""

from __future__ import annotations

import random
import time

import numpy as np
import psycopg
import pytest
from sqlalchemy import create_engine, event, text

from augimpact.errors import DataError
from augimpact.store.catalog import Catalog
from augimpact.store.labels import KINDS
from augimpact.store.shelf import NotYours
from augimpact.store.tables import SCHEMA, words_of
from augimpact.store.tokens import make_token
from tests.store.conftest import images, serving

HERE = pytest.mark.parametrize("catalogs", ["here"], indirect=True)
WORDS = ("Road", "roads", "house-plants", "Ünïcode", "50%", "O'Hare", "a_b")
TEXTS = ("roa", "ROAD", "house plants", "ünï", "50%", "hare o", "cat", "a_b", "%", "nothing", "tre")
SENSORS = ("WV03", "S2A", "L8")


class Window:
    """A piece of an image somewhere."""

    def __init__(self, array, left, low, sensor):
        from augimpact.store.labels import Grid

        self.array, self.grid, self.sensor = array, Grid(left, 0.5, low + 4, -0.5), sensor


@pytest.fixture
def many(catalogs):
    """Sixty sets of three people, and their documents."""
    draw = random.Random(0)
    people, documents = {name: catalogs(name) for name in ("ann", "bob", "eve")}, []
    for number in range(60):
        owner, kind = draw.choice(list(people)), draw.choice(KINDS)
        names = draw.sample(["cat", "dog", "ant", "Ünï"], draw.randrange(1, 4))
        words = " ".join(draw.sample(WORDS, 2))
        made = people[owner].create(
            f"{words} {number}", kind, classes=names, description=draw.choice(["", "big trees"])
        )
        if draw.random() < 0.7:
            place = draw.uniform(-50, 50), draw.uniform(-50, 50)
            label = {"classification": names[0], "object_detection": {}, "segmentation": np.zeros((8, 8), int)}[kind]
            made.feed([(Window(images(1, (1, 8, 8))[0], *place, draw.choice(SENSORS)), label)])
            made.save()
        if draw.random() < 0.5:
            made.publish()
        documents.append(made.refresh().document())
    return people, documents


def looked_for(documents, who, **asked):
    """What a loop over all documents finds, the latest first."""
    found = []
    for each in documents:
        words = words_of(each["name"], each["description"], each["source"], *each["classes"])
        words -= {"background"}
        box, mine = asked.get("bbox"), each["bbox"]
        meets = box is None or (
            mine is not None and mine[0] <= box[2] and mine[2] >= box[0] and mine[1] <= box[3] and mine[3] >= box[1]
        )
        checks = (
            each["public"] or each["userId"] == who,
            all(any(word.startswith(given) for word in words) for given in words_of(asked.get("text", ""))),
            asked.get("mltype") in (None, each["mlType"]),
            set(asked.get("classes", ())) <= set(each["classes"]),
            asked.get("owner") in (None, each["userId"]),
            asked.get("public") in (None, each["public"]),
            not asked.get("sensors") or set(asked["sensors"]) & set(each["sensors"]),
            meets,
        )
        if all(checks):
            found.append(each["id"])
    return sorted(found, reverse=True)


def test_a_search_finds_what_a_loop_over_all_finds(many):
    people, documents = many
    draw = random.Random(1)
    seen = 0
    for _ in range(150):
        left, low = draw.uniform(-60, 60), draw.uniform(-60, 60)
        choices = {
            "text": draw.choice(TEXTS),
            "mltype": draw.choice(KINDS), "classes": draw.sample(["cat", "dog", "Ünï"], draw.randrange(1, 3)),
            "owner": draw.choice(list(people)), "public": draw.random() < 0.5, "sensors": draw.sample(SENSORS, 2),
            "bbox": (left, low, left + draw.uniform(0, 60), low + draw.uniform(0, 60)),
        }  # fmt: skip
        asked = {name: choices[name] for name in draw.sample(list(choices), draw.randrange(0, 4))}
        who = draw.choice(list(people))
        found = [each.id for each in people[who].search(**asked)]
        assert found == looked_for(documents, who, **asked), asked
        seen += len(found)
    assert seen > 300
    whole = [each.id for each in people["ann"].search()]
    assert [each.id for each in people["ann"].search(limit=7, offset=5)] == whole[5:12]


@HERE
def test_a_search_uses_indices(many, database):
    people, _ = many
    engine = people["ann"].shelf.engine
    said = []
    event.listen(engine, "before_cursor_execute", lambda *given: said.append((given[2], given[3])))
    people["ann"].search("roa", classes=["cat"], bbox=(0, 0, 1, 1), owner="ann")
    (statement, values), *_ = [each for each in said if "FROM sets" in each[0]]
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            told = " ".join(str(row[3]) for row in plan)
            assert "SCAN" not in told
        else:
            connection.execute(text("SET enable_seqscan = off"))
            told = " ".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values).all())
            assert "Seq Scan" not in told
    assert "words_by_beginning" in told or "set_words" in told


@HERE
def test_a_catalogue_of_a_newer_program_is_refused(catalog, database, tmp_path):
    engine = catalog.shelf.engine
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE schema_version SET number = {SCHEMA + 1}"))
    with pytest.raises(DataError, match=rf"tables of version {SCHEMA + 1}; this augimpact knows {SCHEMA}"):
        Catalog(database, tmp_path / "parts")


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@127.0.0.1:1/x", "sqlite:////nowhere/x.sqlite", "nonsense", "a://b"]
)
def test_a_database_that_is_not_there_is_said_without_its_password(url, tmp_path):
    with pytest.raises(DataError, match="cannot be used") as caught:
        Catalog(url, tmp_path)
    assert "secret" not in str(caught.value)


def test_what_a_set_is_made_of_is_checked(catalog):
    for arguments, said in (
        (("",), "name"), (("x" * 300,), "name"), (("a", "other"), "mlType|kind"),
        (("a", "classification", ["b", "b"]), "classes"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=said):
            catalog.create(*arguments[:2], classes=arguments[2] if len(arguments) > 2 else ())
    for bbox in ((1, 0, 0, 1), (0, 0, 1), ("a", 0, 0, 0)):
        with pytest.raises(DataError, match="bbox"):
            catalog.search(bbox=bbox)
    with pytest.raises(DataError, match=r"kind|mltype"):
        catalog.search(mltype="other")


def test_words_are_changed_by_the_owner_alone(catalogs):
    ann, bob = catalogs("ann"), catalogs("bob")
    made = ann.create("old name")
    made.publish()
    assert made.update(name="new name", description="of trees")["name"] == "new name"
    assert [each.id for each in bob.search("tree new")] == [made.id]
    assert bob.search("old") == []
    with pytest.raises(NotYours):
        bob.from_id(made.id).update(name="mine")
    with pytest.raises(NotYours):
        bob.from_id(made.id).feed([(image, [1]) for image in images(1)])
    made.delete()
    assert ann.search() == []


@HERE
def test_one_s_own_sets_need_nothing(catalogs, monkeypatch, tmp_path):
    monkeypatch.setattr("augimpact.store.catalog.default_root", lambda: tmp_path / "own")
    made = Catalog().create("a", classes=["x"])
    made.feed([(image, [1]) for image in images(2)])
    made.close()
    assert [each.count for each in Catalog().search("a")] == [{"train": 2}]
    assert (tmp_path / "own" / "catalog.sqlite").is_file()
    assert create_engine(f"sqlite:///{tmp_path / 'own' / 'catalog.sqlite'}").dialect.name == "sqlite"


@HERE
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_has_a_connection_while_it_is_asked_and_a_server_while_it_serves(catalogs, database, shelf):
    def connections(wanted):
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with psycopg.connect(database, autocommit=True) as connection:
            for _ in range(100):
                if (found := connection.execute(asked).fetchone()[0]) == wanted:
                    break
                # The process of a connection that was closed takes a moment to end.
                time.sleep(0.05)
        return found

    several = [catalogs("ann") for _ in range(5)]
    made = several[0].create("a", classes=["x"])
    made.feed([(image, [1]) for image in images(2)])
    made.save()
    assert [len(each.search()) for each in several] == [1] * 5
    assert connections(0) == 0
    with serving(shelf) as address:
        token = make_token(shelf.engine, "ann")
        assert len(Catalog(address, shelf.root / "cache", token=token).search()) == 1
        assert connections(1) == 1
    assert connections(0) == 0
