// One row of INFO: what info_sections.ts prints and the files of its sections list. Imports nothing.

type FieldValue = string | number;

/** A field: its name, and its value or how the value follows from the facts. */
export type Field<Facts> = readonly [string, FieldValue | ((facts: Facts) => FieldValue)];
