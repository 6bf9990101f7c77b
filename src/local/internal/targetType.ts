/**
 * What the target's file keeps of a field's type, nested types too. A CSV or TSV file keeps the text of every value.
 */
import { type DuckDBType, DuckDBTypeId } from "@duckdb/node-api"
import * as Array from "effect/Array"
import type { Format } from "./format.js"
import * as sql from "./sql.js"

type Family = Format["family"]

const partsOf = (type: DuckDBType): ReadonlyArray<DuckDBType> => {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return [type.valueType]
    case DuckDBTypeId.MAP:
      return [type.keyType, type.valueType]
    case DuckDBTypeId.STRUCT:
      return type.entryTypes
    case DuckDBTypeId.UNION:
      return type.memberTypes
    default:
      return []
  }
}

const firstOf = <A>(type: DuckDBType, find: (type: DuckDBType) => A | undefined): A | undefined => {
  const found = find(type)
  if (found !== undefined) return found
  for (const part of partsOf(type)) {
    const inside = firstOf(part, find)
    if (inside !== undefined) return inside
  }
  return undefined
}

const holds = (type: DuckDBType, is: (type: DuckDBType) => boolean): boolean =>
  firstOf(type, (part) => (is(part) ? part : undefined)) !== undefined

const isNameless = (type: DuckDBType): boolean => type.typeId === DuckDBTypeId.STRUCT && type.entryNames.includes("")

const unfit = (type: DuckDBType): string | undefined => {
  switch (type.typeId) {
    case DuckDBTypeId.INTERVAL:
      return "it is an INTERVAL, which Parquet cuts to milliseconds. Cast it to VARCHAR, or make it a number by epoch(…)."
    case DuckDBTypeId.TIME_TZ:
      return "it is a TIME WITH TIME ZONE, whose zone Parquet does not keep. Cast it to VARCHAR or TIME."
    case DuckDBTypeId.UNION:
      return "it is a UNION, which Parquet does not keep. Cast it to VARCHAR, or make it a STRUCT."
    default:
      return undefined
  }
}

const isVariant = ({ typeId }: DuckDBType): boolean => typeId === DuckDBTypeId.VARIANT

/** Why a file of this family can't keep the values of a type; `undefined` where it can, or can keep some of them. */
export const problem = (family: Family, type: DuckDBType): string | undefined => {
  if (holds(type, isNameless)) return "it has parts without names. Name them, as in {'first': …, 'second': …}."
  if (family !== "parquet") return undefined
  return partsOf(type).some((part) => holds(part, isVariant))
    ? "it has a VARIANT inside of another value, which DuckDB can't write into Parquet. Cast the whole to VARIANT, or the part to VARCHAR."
    : firstOf(type, unfit)
}

const isHuge = ({ typeId }: DuckDBType): boolean => typeId === DuckDBTypeId.HUGEINT || typeId === DuckDBTypeId.UHUGEINT

/** Why some values of a type can't be written, where a file of its family can keep others. */
export const unwritable = (type: DuckDBType | undefined): string =>
  type !== undefined && holds(type, isHuge)
    ? "it has a number of 39 digits, and Parquet keeps 38. Cast it to VARCHAR, or to DOUBLE where digits may be lost."
    : "DuckDB can't write its value into a file of the source's format. Cast it to VARCHAR."

const needsCast = (type: DuckDBType): boolean => isHuge(type) || type.typeId === DuckDBTypeId.TIMESTAMP_S

/**
 * A type with `DECIMAL(38,0)` for the integers of 128 bits, which Parquet knows only as inexact numbers, and `TIMESTAMP`
 * for the timestamps in seconds, which DuckDB itself casts for Parquet, but not those that are infinite.
 */
const asCast = (type: DuckDBType): string => {
  switch (type.typeId) {
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
      return "DECIMAL(38,0)"
    case DuckDBTypeId.TIMESTAMP_S:
      return "TIMESTAMP"
    case DuckDBTypeId.LIST:
      return `${asCast(type.valueType)}[]`
    case DuckDBTypeId.ARRAY:
      return `${asCast(type.valueType)}[${type.length}]`
    case DuckDBTypeId.MAP:
      return `MAP(${asCast(type.keyType)}, ${asCast(type.valueType)})`
    case DuckDBTypeId.STRUCT:
      return `STRUCT(${Array.zipWith(type.entryNames, type.entryTypes, (name, part) => `${sql.name(name)} ${asCast(part)}`).join(", ")})`
    default:
      return type.alias ?? type.toString()
  }
}

/** The type to which values are cast for a Parquet file; `undefined` where none is needed. */
export const parquetCast = (type: DuckDBType | undefined): string | undefined =>
  type !== undefined && holds(type, needsCast) ? asCast(type) : undefined

const isInexact = ({ alias, typeId }: DuckDBType): boolean =>
  typeId === DuckDBTypeId.FLOAT || typeId === DuckDBTypeId.DOUBLE || typeId === DuckDBTypeId.VARIANT || alias === "JSON"

/** SQL that is true where a value holds NaN or Infinity, which JSON does not know; `undefined` where the type can't. */
export const holdsNoNumber = (type: DuckDBType | undefined, value: string): string | undefined => {
  if (type === undefined || !holds(type, isInexact)) return undefined
  return type.typeId === DuckDBTypeId.FLOAT || type.typeId === DuckDBTypeId.DOUBLE
    ? `NOT isfinite(${value})`
    : // Outside of its strings, JSON has no other word with nan or inf in it.
      `regexp_matches(regexp_replace(to_json(${value})::VARCHAR, '"(?:[^"\\\\]|\\\\.)*"', '', 'g'), '(?i)nan|inf')`
}
