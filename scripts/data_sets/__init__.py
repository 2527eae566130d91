"""One module a data set: NAME, README and files() -> {name: text}."""
