"""Records become numbers: summaries, frames, thresholds, intervals, bills and files.

    collect       replications in, one after the other, sums out
    tally         what the recorders counted, by any part of the requests
    latency, groups, mechanisms, spans
                  the numbers of a summary
    metrics, verdicts, intervals
                  thresholds, and how well they are known
    usage, accounts
                  what was used, and the bills made of it
    summarise, result, notes
                  the result as a whole
    tables, files, text, html (sections, headline, wording)
                  what a result looks like outside
    requests (request_columns, request_sinks, csv_rows), atomic
                  one row for each request, streamed to a file

A result holds numbers, never the engine's state; printing computes nothing.
"""
