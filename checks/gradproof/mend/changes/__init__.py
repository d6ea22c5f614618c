"""The kinds of small change that are tried, each module's under ``CHANGES``; a module that is here is found."""
