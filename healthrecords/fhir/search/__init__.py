"""Search: parameters as rows of data (params), a query string as conditions (query), results as pages (paging)."""
