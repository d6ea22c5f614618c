"""The promises, each module with those that it tries, their codes and their places."""
