"""Operations of autograd libraries, as pairs of functions on arrays: one file for each way to write them."""
