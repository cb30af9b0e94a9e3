// Holds a message to docs/protocol.schema.json.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020";

const schema = JSON.parse(readFileSync("../docs/protocol.schema.json", "utf8")) as object;
const ajv = new Ajv({ strict: false });
ajv.addSchema(schema, "protocol");

export function assertValid(definition: string, message: unknown): void {
  assert.ok(ajv.validate(`protocol#/$defs/${definition}`, message), `${definition}: ${ajv.errorsText()}`);
}
