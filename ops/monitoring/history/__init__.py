"""The server's own short memory: a sample of its metrics each minute, so that the console has charts without Grafana.

`figures` says what is sampled, `sampling` takes it, `thinning` keeps it small, `chart` draws it, `admin` shows it.
"""
