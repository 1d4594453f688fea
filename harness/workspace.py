"""The folder a user works in: blackstart.toml, and `.blackstart/` beside it with state, runs and what is running."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.config import FILE_NAME, Config, load_config
from harness.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Paths of one project. `root` is absolute; nothing is created before something is written."""

    root: Path
    file: Path
    config: Config

    @property
    def folder(self) -> Path:
        """Everything Blackstart writes is below this folder."""
        return self.root / ".blackstart"

    @property
    def state(self) -> Path:
        """Pulumi checkpoints of the stacks that `up` leaves running."""
        return self.folder / "state"

    @property
    def cloud(self) -> Path:
        """The state folder of the cloud that `up` starts."""
        return self.folder / "cloud"

    @property
    def runs(self) -> Path:
        """One folder for each past run."""
        return self.folder / "runs"

    @property
    def stack_file(self) -> Path:
        """The stack that `up` left running, if any."""
        return self.folder / "stack.json"

    @property
    def claims(self) -> Path:
        """One file for each command that may have a fault in force; see `harness.leftovers`."""
        return self.folder / "claims"

    @property
    def commands(self) -> Path:
        """One file for each command at work here; see `harness.underway`."""
        return self.folder / "commands"

    @property
    def program(self) -> Path:
        """The Pulumi program's folder."""
        return self.root / self.config.project.program

    @property
    def image_folders(self) -> dict[str, Path]:
        """The folder behind each entry of `[images]`."""
        return {name: self.root / image.dir for name, image in self.config.images.items()}

    @property
    def scenarios(self) -> Path:
        """The scenario suites."""
        return self.root / self.config.project.scenarios

    @property
    def drills(self) -> Path:
        """The drill files."""
        return self.root / self.config.project.drills

    @property
    def locustfile(self) -> Path:
        """The Locust file."""
        return self.root / self.config.project.load

    def registries(self) -> Iterator[Path]:
        """Every folder of process records: of commands, of their clouds, of what the clouds run."""
        patterns = ("processes", "*/processes", "*/environments", "*/*/processes")
        parents = (self.folder, *sorted(self.runs.glob("*")))
        yield from dict.fromkeys(found for parent in parents for name in patterns for found in parent.glob(name))


def open_workspace(config: Path | None = None) -> Workspace:
    """The workspace of `config`, or of the nearest blackstart.toml in this folder or above, or of this folder.

    Raises:
        UsageError: `config` was given and does not exist.
        ConfigError: the file cannot be used.
    """
    if config is not None and not config.is_file():
        raise UsageError("no such file", where=f"--config {config}", hint="blackstart init writes one")
    here = Path.cwd()
    file = config or next(
        (folder / FILE_NAME for folder in (here, *here.parents) if (folder / FILE_NAME).is_file()), here / FILE_NAME
    )
    file = file.resolve()
    return Workspace(root=file.parent, file=file, config=load_config(file))
