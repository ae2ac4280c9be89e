"""The local PostgreSQL, cache, object store and processes behind `make run` and the tests; plain Python, no Django."""
