"""AWS FIS experiments of the running cloud: list, start, stop, watch."""

from __future__ import annotations

from cyclopts import App

from harness.commands.answer import DEFAULTS, Answer, Options, session

fis = App(name="fis", help="AWS FIS experiments of the running cloud, over the FIS API.")


@fis.command(name="list")
def fis_list(*, options: Options = DEFAULTS) -> Answer:
    """List templates and experiments."""
    from harness import experiments

    with session(options) as here:
        data = experiments.listing(here.workspace)
    lines = [f"{t['id']}  template    {t['description']}" for t in data["templates"]]
    lines += [f"{e['id']}  {e['status']:10}  from {e['template']}" for e in data["experiments"]]
    return Answer(data=data, shown="\n".join(lines) or "no templates, no experiments")


@fis.command(name="start")
def fis_start(template: str, *, options: Options = DEFAULTS) -> Answer:
    """Start an experiment from a template's id, or from a JSON file."""
    from harness import experiments

    with session(options) as here:
        data = experiments.start(here.workspace, template)
    return Answer(data=data, shown=f"{data['id']} {data['status']}")


@fis.command(name="stop")
def fis_stop(experiment: str, *, options: Options = DEFAULTS) -> Answer:
    """Stop a running experiment."""
    from harness import experiments

    with session(options) as here:
        data = experiments.stop(here.workspace, experiment)
    return Answer(data=data, shown=f"{data['id']} {data['status']}")


@fis.command(name="watch")
def fis_watch(experiment: str, *, options: Options = DEFAULTS) -> Answer:
    """Follow an experiment until it ends: actions, states, what fired, alarms."""
    from harness import experiments
    from harness.commands.fis_table import live

    with session(options) as here, live(here.progress) as show:
        ended = experiments.watch(here.workspace, experiment, show)
    data = {"id": ended.id, "status": ended.status, "reason": ended.reason}
    actions = {a.name: {"status": a.status, "fired": a.fired} for a in ended.actions}
    return Answer(
        data={**data, "actions": actions},
        shown=f"{ended.id} {ended.status}: {ended.reason}",
        exit_code=1 if ended.status == "failed" else 0,
    )
