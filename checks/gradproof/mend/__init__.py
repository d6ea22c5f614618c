"""Small changes of the author's source, tried out: which one makes every gradient right?"""
