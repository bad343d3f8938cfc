/**
 * A method with its settings in one line: `name[:size][?option=value[&option=value …]]`, as in `best-of-n:16`,
 * `best-of-n:16?scorer=likelihood`, `majority:32?temperature=0.7&top-p=0.95`.
 *
 * The size is the option that says how much the method does (n, particles, width, …). The label of a method is this line in
 * its normal form: the size always, what is so by default never, the rest in the order of the table. So equal methods have
 * equal labels, however they were written.
 */
import { type Method, type MethodOption, type MethodSettings, methods, optionsOf } from "../methods.ts";
import { listed, suggestion } from "../nearest.ts";
import { checkOption, readOption } from "./typed.ts";

export interface SetMethod {
  readonly label: string;
  readonly method: Method;
  readonly settings: MethodSettings;
}

/** The option that the number after the colon sets; undefined where the method has none. */
export function sizeOf(method: Method): MethodOption | undefined {
  return method.options.find(({ name, type }) =>
    method.size === undefined ? type === "integer" : name === method.size,
  );
}

/** @throws RangeError that says which method, what it takes, and what was given */
export function parseMethod(text: string): SetMethod {
  const [, name = "", size, rest] = /^([^:?]+)(?::([^?]*))?(?:\?(.*))?$/s.exec(text.trim()) ?? [];
  const method = methodNamed(name);
  const settings: Record<string, number | string> = {};
  const set = (option: MethodOption, typed: string) => {
    if (option.name in settings)
      throw new RangeError(`Cannot use ${JSON.stringify(text)} as it sets ${option.name} twice`);
    settings[option.name] = readOption(option, typed, `${option.name} of ${name}`);
  };
  if (size !== undefined) {
    const option = sizeOf(method);
    if (!option) throw new RangeError(`Cannot use ${JSON.stringify(text)} as ${name} has no size: write ${name}`);
    set(option, size);
  }
  for (const part of rest === undefined ? [] : rest.split("&")) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(part) ?? [];
    if (key === undefined || value === undefined)
      throw new RangeError(
        `Cannot read ${JSON.stringify(part)} in ${JSON.stringify(text)}: write options as in best-of-n:16?scorer=likelihood&top-p=0.9`,
      );
    set(optionNamed(method, key), value);
  }
  return setMethod(method, settings);
}

/** Of a method by name and its options as values. @throws RangeError */
export function methodOf(name: string, given: MethodSettings, label?: string): SetMethod {
  const method = methodNamed(name);
  const settings = Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      const option = optionNamed(method, key);
      return [option.name, checkOption(option, value, `${option.name} of ${name}`)];
    }),
  );
  return setMethod(method, settings, label);
}

const setMethod = (method: Method, settings: MethodSettings, label = labelOf(method, settings)): SetMethod => ({
  label,
  method,
  settings,
});

function labelOf(method: Method, settings: MethodSettings): string {
  const size = sizeOf(method);
  const amount = size && (settings[size.name] ?? size.default);
  const rest = optionsOf(method).flatMap(({ name, default: preset }) => {
    const value = settings[name];
    return value === undefined || value === preset || name === size?.name ? [] : [`${kebab(name)}=${value}`];
  });
  return `${method.name}${amount === undefined ? "" : `:${amount}`}${rest.length === 0 ? "" : `?${rest.join("&")}`}`;
}

function methodNamed(name: string): Method {
  const method = methods.find((one) => one.name === name);
  if (method) return method;
  const names = methods.map((one) => one.name);
  throw new RangeError(`Cannot find a method named ${JSON.stringify(name)}: ${suggestion(name, names)}`);
}

function optionNamed(method: Method, key: string): MethodOption {
  const options = optionsOf(method);
  const option = options.find(({ name }) => name === key || kebab(name) === key);
  if (option) return option;
  throw new RangeError(
    `Cannot set ${JSON.stringify(key)} of ${method.name}: it takes ${listed(options.map(({ name }) => kebab(name)))}`,
  );
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
