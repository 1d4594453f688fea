"""The process of the program: what pulumi-language-python-exec does, which no package carries.

Started by path with the program's interpreter and the program's folder, so it imports nothing of ours. It loads the
SDKs that the program names, then waits: each line on its standard input, the settings of a run in JSON, makes a fork
that runs the program afresh, and is answered on its standard output by `{"code": exit code}`. What the program prints
goes to standard error. An exception of the program goes to the engine as one message, with the traceback cut to the
program's own files.
"""

import asyncio
import contextlib
import functools
import gc
import importlib
import inspect
import json
import logging
import os
import re
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

PROGRAM_FAILED = 32  # the code that the real host uses for an exception it has reported
YOUNG_OBJECTS = 50_000  # a program makes a hundred objects for each resource and drops none until its end
LOOKED_AT_FILES = 200  # of a program, for the SDKs that it names; what is missed is loaded when it is needed


def main(folder: str) -> int:
    """Run the program as often as asked; returns when nobody asks any more."""
    # The shim's own folder comes first on the path: nothing there may shadow the program's modules.
    sys.path[0] = folder
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        gc.disable()
        load(folder)
        gc.freeze()
        gc.enable()
        gc.set_threshold(YOUNG_OBJECTS)
        for line in iter(sys.stdin.readline, ""):
            child = os.fork()
            if not child:
                answers.close()
                leave(run(json.loads(line), folder))
            _, status = os.waitpid(child, 0)
            answers.write(json.dumps({"code": os.waitstatus_to_exitcode(status)}) + "\n")
            answers.flush()
    return 0


def load(folder: str) -> None:
    """Import what every run of the program will import of Pulumi's packages; what cannot be is left to the run."""
    with contextlib.suppress(ImportError):
        from pulumi import runtime

        runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    for name in sorted(named(folder)):
        with contextlib.suppress(ImportError):
            dir(importlib.import_module(name))  # some are lazy: a look at one loads it


def named(folder: str) -> set[str]:
    """The modules of Pulumi's packages that the program's files name, such as `pulumi_aws.sqs`.

    Most of them; a part of a package that is no module, such as a class, may be among them.
    """
    found = set()
    for path in list(sources(folder))[:LOOKED_AT_FILES]:
        text = path.read_text(encoding="utf-8", errors="replace")
        found |= set(re.findall(r"^\s*(?:import|from)\s+(pulumi_\w+(?:\.\w+)*)", text, re.MULTILINE))
        for package, alias in re.findall(r"^\s*import\s+(pulumi_\w+)(?:\s+as\s+(\w+))?", text, re.MULTILINE):
            found |= {f"{package}.{part}" for part in re.findall(rf"\b{alias or package}\.([a-z]\w*)\.", text)}
        for package, parts in re.findall(r"^\s*from\s+(pulumi_\w+)\s+import\s*\(?([\w\s,]+)", text, re.MULTILINE):
            found |= {f"{package}.{part.split()[0]}" for part in parts.split(",") if part.strip()[:1].islower()}
    return found


def sources(folder: str) -> Iterator[Path]:
    """The program's own Python files; neither hidden ones nor those of a virtual environment."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith((".", "__", "node_modules")) and not Path(parent, name, "pyvenv.cfg").exists()
        )
        yield from (Path(parent, name) for name in sorted(files) if name.endswith(".py"))


def run(options: dict[str, Any], folder: str) -> int:
    """Run the program to its end; returns the exit code."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0, closefd=False)

    import pulumi
    from pulumi import runtime

    known = inspect.signature(runtime.Settings.__init__).parameters  # older SDKs lack some
    runtime.configure(runtime.Settings(**{name: value for name, value in options.items() if name in known}))
    # The SDK tells four debug lines for each resource, each a blocking call; nobody is shown them.
    pulumi.log.debug = lambda *_arguments, **_options: None
    sys.argv = [options["program"]]
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    note_places(folder)
    note_failures(folder)
    runpy.run_path(str(Path(__file__).with_name("program_waiting.py")))["replace"]()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=options["parallel"] * 4)
    loop.set_default_executor(executor)

    def program() -> None:
        runpy.run_path(options["program"], run_name="__main__")

    try:
        loop.run_until_complete(runtime.run_in_stack(program))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except BaseException as error:  # noqa: BLE001 - SystemExit and all: whatever the program does is reported
        pulumi.log.error(own_traceback(error, folder))
        return PROGRAM_FAILED
    finally:
        executor.shutdown(wait=True)
        loop.close()
    return 0


def leave(code: int) -> None:
    """End this process at once: threads of the SDK may hang on a monitor that has gone."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


PLACES: dict[tuple[str, str], str] = {}  # (type, name) of a resource → file:line of the program


def note_places(folder: str) -> None:
    """Remember where the program makes each resource: the SDK's own errors about one come without a place."""
    import pulumi.resource

    register = pulumi.resource.register_resource
    inside = os.path.realpath(folder) + os.sep
    real = functools.lru_cache(maxsize=None)(os.path.realpath)

    def noting(res: object, ty: str, name: str, *arguments: object, **options: object) -> object:
        frame = inspect.currentframe()
        while frame is not None and not real(frame.f_code.co_filename).startswith(inside):
            frame = frame.f_back
        if frame is not None:
            PLACES[ty, name] = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        return register(res, ty, name, *arguments, **options)

    pulumi.resource.register_resource = noting


FRAMES: list[tuple[BaseException, list[traceback.FrameSummary]]] = []  # what applies raised, and where


def note_failures(folder: str) -> None:
    """Keep where a function given to `apply` raised: on its way through the SDK's futures that gets lost."""
    from pulumi import Output

    apply = Output.apply

    def noting(self: object, func: Callable[[object], object], *arguments: object, **options: object) -> object:
        def watched(value: object) -> object:
            try:
                return func(value)
            except BaseException as error:
                FRAMES.append((error, own_frames(error, folder)))
                raise

        return apply(self, watched, *arguments, **options)

    Output.apply = noting


def places_of(text: str) -> str:
    """Where the resources that `text` speaks of are made, a line each."""
    named = [
        place
        for (kind, name), place in PLACES.items()
        if kind in text and re.search(rf"(?:resource: |named )'?{re.escape(name)}(?![\w-])", text)
    ]
    return "".join(f"\n  at {place}" for place in named[:3])


def own_frames(error: BaseException, folder: str) -> list[traceback.FrameSummary]:
    """The frames of a traceback that are in the program's own files."""
    inside = os.path.realpath(folder) + os.sep
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_file()
        and os.path.realpath(frame.filename).startswith(inside)
        and "site-packages" not in frame.filename
    ]


def own_traceback(error: BaseException, folder: str) -> str:
    """The traceback as far as it runs through the program's own files, and the exception itself."""
    if isinstance(error, SyntaxError) and error.filename:
        lines = traceback.format_exception_only(type(error), error)
        return "".join(lines).rstrip()
    frames = own_frames(error, folder) or next((frames for raised, frames in FRAMES if raised is error), [])
    text = "".join(traceback.format_list(frames)) + "".join(traceback.format_exception_only(type(error), error))
    return text.rstrip() + ("" if frames else places_of(text))


if __name__ == "__main__":
    leave(main(sys.argv[1]))
