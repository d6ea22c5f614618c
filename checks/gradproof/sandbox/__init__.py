"""What user code may change in the process, and how it is put back."""
