"""One module a command: `arguments(parser)` says what it takes, `does` on the parsed arguments is what it does."""
