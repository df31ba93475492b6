"""The HTTP API and the feeds: `app.build_app` puts them together, `iprwatch serve` runs them."""
