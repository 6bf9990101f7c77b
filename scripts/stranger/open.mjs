// Prints those of the given specifiers that a project can import.
const open = process.argv.slice(2).filter((specifier) => {
  try {
    return import.meta.resolve(specifier)
  } catch (error) {
    if (error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED") return false
    throw error
  }
})

console.log(open.join("\n"))
