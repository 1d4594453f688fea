"""Runs in the program's own process: what pulumi-language-python-exec does, which no package carries.

Started by path with the program's interpreter, so it imports nothing of ours. Arguments are those of the
real language host. An exception of the program goes to the engine as one message, with the traceback cut
to the program's own files.
"""

import argparse
import asyncio
import inspect
import logging
import os
import re
import runpy
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

OPTIONS = ("monitor", "engine", "project", "stack", "root_directory", "pwd", "parallel", "dry_run", "organization")
PROGRAM_FAILED = 32  # the code that the real host uses for an exception it has reported


def main() -> int:
    """Run the program to its end; returns the exit code."""
    parser = argparse.ArgumentParser()
    for option in OPTIONS:
        parser.add_argument(f"--{option}")
    parser.add_argument("program")
    options = parser.parse_args()
    # The shim's own folder comes first on the path: nothing there may shadow the program's modules.
    sys.path[0] = options.pwd

    import pulumi
    from pulumi import runtime

    runtime.set_all_config(runtime.get_config_env(), runtime.get_config_secret_keys_env())
    settings = {name: getattr(options, name) for name in OPTIONS if name != "pwd"}
    settings["parallel"] = int(options.parallel)
    settings["dry_run"] = options.dry_run == "true"
    known = inspect.signature(runtime.Settings.__init__).parameters  # older SDKs lack some
    runtime.configure(runtime.Settings(**{name: value for name, value in settings.items() if name in known}))
    # The SDK tells four debug lines for each resource, each a blocking call; nobody is shown them.
    pulumi.log.debug = lambda *_arguments, **_options: None
    sys.argv = [options.program]
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    note_places(options.pwd)
    note_failures(options.pwd)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=settings["parallel"] * 4)
    loop.set_default_executor(executor)

    def program() -> None:
        runpy.run_path(options.program, run_name="__main__")

    try:
        loop.run_until_complete(runtime.run_in_stack(program))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except BaseException as error:  # noqa: BLE001 - SystemExit and all: whatever the program does is reported
        pulumi.log.error(own_traceback(error, options.pwd))
        return PROGRAM_FAILED
    finally:
        executor.shutdown(wait=True)
        loop.close()
    return 0


PLACES: dict[tuple[str, str], str] = {}  # (type, name) of a resource → file:line of the program


def note_places(folder: str) -> None:
    """Remember where the program makes each resource: the SDK's own errors about one come without a place."""
    import pulumi.resource

    register = pulumi.resource.register_resource
    inside = os.path.realpath(folder) + os.sep

    def noting(res: object, ty: str, name: str, *arguments: object, **options: object) -> object:
        frame = inspect.currentframe()
        while frame is not None and not os.path.realpath(frame.f_code.co_filename).startswith(inside):
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
    CODE = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of the SDK may hang on a monitor that has gone; everything is flushed and registered.
    os._exit(CODE)
