"""The steps of the plugin. What `describe` answers is description.json; the build writes it to description.py."""

import json
import re
import traceback
from typing import Any, Callable

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.guest import Failure, Outcome
from wit_world.imports import env, media

from description import DESCRIPTION
from greeting import greeting


def greet(prompt: str, zone: str = "UTC") -> tuple[str, dict[str, Any]]:
    text = greeting(env.local_time(zone).hour)
    bindings = [media.Binding("greeting", media.Bound_Value(json.dumps(text)))]
    media.say(media.Utterance([media.Prompt_Given(prompt)], bindings), True)
    return "greeted", {"greeting": text}


# A step takes the fields of its input and gives the outcome's name and data. To fail it raises `Err(Failure(…))`.
STEPS: dict[str, Callable[..., tuple[str, dict[str, Any]]]] = {"greet": greet}


class Guest(exports.Guest):
    def describe(self) -> str:
        return DESCRIPTION

    def run(self, step: str, input: str) -> Outcome:
        # Names that begin with $ are the engine's.
        fields = {name: value for name, value in json.loads(input).items() if not name.startswith("$")}
        try:
            name, data = STEPS[step](**fields)
        except Err as error:
            raise Err(failure(error.value))
        except Exception as error:
            traceback.print_exc()
            raise Err(Failure("bug", repr(error), False))
        return Outcome(name, json.dumps(data))


def failure(error: Any) -> Failure:
    """A refused host call becomes a failure of its name, as with the other kits."""
    if isinstance(error, Failure):
        return error
    name = type(error).__name__.removeprefix("Error_")
    code = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
    return Failure(code, str(getattr(error, "value", code)), code in ("timeout", "unavailable"))
