// A file of its own, because an old Node can't parse import().
"use strict"
// each run of a local Lume that computes holds one of libuv's threads, of four, which its files need too
process.env.UV_THREADPOOL_SIZE ??= "16"
import("./main.js")
