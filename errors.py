"""The base of every exception that iprwatch raises on purpose."""


class IprwatchError(Exception):
    """Something is wrong that a person can understand from one sentence.

    The message says what is wrong, where, and what to do; the command line prints it as it is and
    ends with an exit code other than 0. Anything else that escapes is a defect of iprwatch.
    """


class ConfigurationError(IprwatchError):
    """A setting, a source entry or a rule can't be used.

    Raised while configuration is loaded, before anything is fetched or written; the message names the
    file and the key.
    """
