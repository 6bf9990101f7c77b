/**
 * Loads the package's modules anew for each file of tests, with the mutant in place: what a module makes when it is loaded
 * is mutated too. Effect stays loaded, which a process for each file would load each time.
 */
import { inject, vi } from "vitest"

// what Stryker provides, as its own setup file reads it
const provided = inject as unknown as (name: string) => string

vi.resetModules()
if (provided("mode") === "mutant") {
  const stryker = Reflect.get(globalThis, provided("globalNamespace"))
  stryker.activeMutant = provided("activeMutant")
}
