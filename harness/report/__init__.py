"""Reports of a run: run.json, junit.xml, summary.md, report.html, and what the terminal shows at its end."""
