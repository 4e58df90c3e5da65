"""What a process does once it stands: all is loaded that stays for as long as the process lives."""

import gc

#: So many new ones, and the youngest are searched. With Python's 700 that is four times in each thousand messages.
_NEW_OBJECTS = 5_000


def keep_what_stands() -> None:
    """Throw away what loading left behind, and let no later search for garbage go through what is loaded for good.

    Such a search stops every thread. Through all our modules and tables it takes 60 milliseconds, twice as long with
    the pages: of a send of 20,000, which has one or two of them, that is a thirtieth part. For processes that last.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
