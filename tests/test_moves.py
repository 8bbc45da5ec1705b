"""One way to change a state: `move`. Read from the syntax trees of all apps, and tried on a model."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings

from sites.engine.moves import Trace

BASE = Path(settings.BASE_DIR)
APPS = ("sites", "training", "referrals", "matching", "tracker")
MOVES = Path("sites/engine/moves.py")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for app in APPS:
        for file in sorted((BASE / app).rglob("*.py")):
            if "migrations" not in file.parts:
                yield file.relative_to(BASE), ast.parse(file.read_text())


def writes_state(node: ast.AST) -> bool:
    """Whether a node sets a state: by assignment, `setattr`, an update, or a field of a form."""
    match node:
        case ast.Assign(targets=targets):
            flat = [each for target in targets for each in ast.walk(target)]
            return any(
                isinstance(each, ast.Attribute) and each.attr == "state" and isinstance(each.ctx, ast.Store)
                for each in flat
            )
        case ast.AugAssign(target=ast.Attribute(attr="state")) | ast.AnnAssign(target=ast.Attribute(attr="state")):
            return True
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value="state"), *_]):
            return True
        case ast.Call(func=ast.Attribute(attr="update" | "update_or_create" | "bulk_update"), keywords=keywords):
            given = {each.arg for each in keywords}
            defaults = [each.value for each in keywords if each.arg in ("defaults", None)]
            named = {
                key.value
                for each in defaults
                if isinstance(each, ast.Dict)
                for key in each.keys
                if isinstance(key, ast.Constant)
            }
            return "state" in given | named
        case ast.keyword(arg="update_fields", value=ast.List(elts=elements) | ast.Tuple(elts=elements)):
            return any(isinstance(each, ast.Constant) and each.value == "state" for each in elements)
        case ast.ClassDef(name="Meta", body=body):
            # A form of a model.
            return any(
                isinstance(each, ast.Constant) and each.value == "state"
                for statement in body
                if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "fields"
                for each in ast.walk(statement.value)
            )
    return False


def writers(tree: ast.Module) -> list[int]:
    return [getattr(node, "lineno", 0) for node in ast.walk(tree) if writes_state(node)]


def test_nothing_but_move_writes_a_state() -> None:
    found = {str(path): lines for path, tree in sources() if path != MOVES and (lines := writers(tree))}
    assert found == {}


def test_the_reader_of_syntax_trees_sees_every_way_to_write_one() -> None:
    for way in (
        "match.state = goal",
        "source, match.state = match.state, goal",
        "match.state: str = goal",
        "setattr(match, 'state', goal)",
        "Match.objects.filter(pk=1).update(state=goal)",
        "Match.objects.update_or_create(pk=1, defaults={'state': goal})",
        "match.save(update_fields=['state', 'why'])",
        "class Form:\n    class Meta:\n        fields = ('name', 'state')",
    ):
        assert writers(ast.parse(way)) != [], way
    assert writers(ast.parse("if match.state == goal:\n    Match.objects.filter(state=goal).update(why=why)")) == []
    assert len(writers(ast.parse((BASE / MOVES).read_text()))) > 0


def test_every_model_with_a_state_says_what_may_happen_and_what_it_leaves() -> None:
    stateful = [
        model
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        if any(field.name == "state" for field in model._meta.fields)
    ]
    assert len(stateful) >= 8
    for model in stateful:
        states = {code for code, _label in model._meta.get_field("state").choices or ()}
        assert isinstance(model.TRACE, Trace), model
        for verb, (starts, goal) in model.MOVES.items():
            assert starts <= states, (model, verb)
            assert goal in states, (model, verb)
        assert set(getattr(model, "REFUSALS", {})) <= set(model.MOVES), model


def test_every_refusal_has_a_code_and_a_sentence_that_can_be_translated() -> None:
    """Tests and programs ask for the code; pages show the sentence, in the language of the page."""
    wrong, right = [], 0
    for path, tree in sources():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused"):
                continue
            match node.args:
                case [ast.Starred()] | [ast.Attribute(attr="code"), ast.Name()]:
                    right += 1
                case [ast.Constant(value=str(code)), sentence] if re.fullmatch(
                    r"[A-Z][A-Z_]+", code
                ) and not isinstance(sentence, ast.Constant | ast.JoinedStr):
                    right += 1
                case _:
                    wrong.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    assert wrong == []
    assert right > 80
