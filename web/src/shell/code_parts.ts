const kPartMax = 32;

/**
 * A line of code cut where it may go on in the next line: after commas and spaces, but not inside a quoted word, and not
 * between a flag and its value. Parts that are long are cut further: before each piece of an address, after brackets.
 */
export function code_parts(line: string): string[] {
  const parts =
    line.match(
      /(?:'[^',]*'|"[^",]*"|(?<!\S)--?[A-Za-z][\w-]*\s+(?=\S)|[^\s,])+(?:,\s*|\s+\\$|\s+)?|,\s*|\s+/g,
    ) ?? [];
  return parts.flatMap((part) =>
    part.length > kPartMax ? part.split(/(?<!\/)(?=\/[^/])|(?=[?&])|(?<=[([{]+)(?![([{])/) : part,
  );
}
