"""The command line: parse, call, print, exit code. Nothing is decided here.

    main                 the program: its commands, streams, signals and exit codes
    options              options that several commands share
    run, validate, schema, init, price, pricebooks
                         one command each
    guard                everything that can go wrong becomes a message and an exit code
    signals              Ctrl-C and what means the same
    streams              results to stdout, notes and errors to stderr, whatever these are
    progress, bars       the bar that runs along with a simulation; the same from Python
    exits                exit codes

Nothing heavy is imported before a command runs: ``apisim --help`` answers at once.
"""
