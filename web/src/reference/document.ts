/** The part of an OpenAPI 3.1 document that the page shows. */
export interface Schema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: unknown[];
  example?: unknown;
  examples?: unknown[];
  default?: unknown;
  required?: string[];
  $ref?: string;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
  $ref?: string;
}

interface RawOperation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: {
    content?: Record<
      string,
      { schema?: Schema; example?: unknown; examples?: Record<string, { value?: unknown }> }
    >;
    $ref?: string;
  };
  responses?: Record<string, { description?: string; $ref?: string }>;
}

export interface Document {
  info: { title: string; version: string };
  paths: Record<string, Record<string, unknown>>;
  components?: Record<string, Record<string, unknown>>;
}

export interface Operation {
  id: string;
  method: string;
  path: string;
  summary: string;
  description: string;
  tag: string;
  parameters: Parameter[];
  body: { type: string; example: string } | null;
  responses: { status: string; description: string }[];
}

const kMethods = ['get', 'post', 'put', 'patch', 'delete'];

function resolve<T>(document: Document, value: T): T {
  const reference = (value as { $ref?: string } | undefined)?.$ref;
  if (!reference) return value;
  const [, , kind, name] = reference.split('/');
  return (document.components?.[kind]?.[name] as T) ?? value;
}

/** Something that fits a schema, to begin with; nested only as far as it is required. */
export function example_of(document: Document, schema: Schema | undefined, depth = 0): unknown {
  const found = resolve(document, schema);
  if (!found || depth > 4) return null;
  if (found.example !== undefined) return found.example;
  if (found.examples?.length) return found.examples[0];
  if (found.default !== undefined) return found.default;
  if (found.enum?.length) return found.enum[0];
  const inner = found.oneOf?.[0] ?? found.anyOf?.[0] ?? found.allOf?.[0];
  if (inner) return example_of(document, inner, depth + 1);
  const type = Array.isArray(found.type) ? found.type[0] : found.type;
  if (type === 'object' || found.properties) {
    const names = found.required ?? (depth === 0 ? Object.keys(found.properties ?? {}).slice(0, 3) : []);
    return Object.fromEntries(
      names.map((name) => [name, example_of(document, found.properties?.[name], depth + 1)]),
    );
  }
  if (type === 'array') return [example_of(document, found.items, depth + 1)];
  if (type === 'integer' || type === 'number') return 1;
  if (type === 'boolean') return false;
  return type === 'string' ? '' : null;
}

export function operations_of(document: Document): Operation[] {
  const found: Operation[] = [];
  for (const [path, item] of Object.entries(document.paths))
    for (const method of kMethods) {
      const raw = item[method] as RawOperation | undefined;
      if (!raw) continue;
      const shared = (item.parameters as Parameter[] | undefined) ?? [];
      const body = resolve(document, raw.requestBody);
      const [type, content] = Object.entries(body?.content ?? {})[0] ?? [];
      const given = content?.example ?? Object.values(content?.examples ?? {})[0]?.value;
      found.push({
        id: raw.operationId ?? `${method}-${path}`,
        method: method.toUpperCase(),
        path,
        summary: raw.summary ?? '',
        description: raw.description ?? '',
        tag: raw.tags?.[0] ?? path.split('/').slice(1, 3).join('/'),
        parameters: [...shared, ...(raw.parameters ?? [])].map((parameter) => resolve(document, parameter)),
        body: type
          ? { type, example: JSON.stringify(given ?? example_of(document, content?.schema), null, 1) }
          : null,
        responses: Object.entries(raw.responses ?? {}).map(([status, response]) => ({
          status,
          description: resolve(document, response)?.description ?? '',
        })),
      });
    }
  return found;
}

/** The path with its parameters filled in. */
export function filled_path(operation: Operation, values: Record<string, string>): string {
  const path = operation.path.replace(/\{(\w+)\}/g, (whole, name) =>
    values[name] ? encodeURIComponent(values[name]) : whole,
  );
  const query = new URLSearchParams();
  for (const parameter of operation.parameters)
    if (parameter.in === 'query' && values[parameter.name]) query.set(parameter.name, values[parameter.name]);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
