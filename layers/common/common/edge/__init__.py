"""What every HTTP function does around its own work.

call            reads the event once
guard           turns an exception into a problem, a log line and two metrics
replies         writes a reply as API Gateway's proxy response
routing         finds the handler of a route key; the API's paths are in paths
entry_point     receives the event from Lambda, and answers the check before traffic shifts
journal_access  opens the journal, and answers while it is unavailable

Nothing is imported here, so that a function loads only the modules that it uses.
"""
