/** Any value as text for a message: JSON where it has one, at most 120 characters. */
export function shorten(value: unknown): string {
  const text = asText(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

function asText(value: unknown): string {
  if (typeof value !== "object" && typeof value !== "string") return String(value);
  try {
    return JSON.stringify(value);
  } catch {
    return String(value); // circular, or with a bigint in it
  }
}
