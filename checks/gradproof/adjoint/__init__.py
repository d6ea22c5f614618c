"""Up to which line a backward is right: the true gradient of every value of forward, put into backward by turns."""
