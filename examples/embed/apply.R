# apply.R - a function chosen by name, over a file of raw float32: first f, then f', correctly rounded.
#   Rscript apply.R NAME INPUT OUTPUT apply_r.so          (apply_r.c says how to make that)
arguments <- commandArgs(trailingOnly = TRUE)
name <- arguments[1]
dyn.load(arguments[4])

n <- file.size(arguments[2]) %/% 4
x <- readBin(arguments[2], "numeric", n, size = 4)
found <- .C("value_and_derivative", name, as.single(x), y = single(n), d = single(n), as.integer(n), status = 0L,
            NAOK = TRUE) # infinities are as good as any
if (found$status != 0) stop(name, ": no such function")

output <- file(arguments[3], "wb")
writeBin(as.double(c(found$y, found$d)), output, size = 4)
close(output)
