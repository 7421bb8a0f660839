// Renders the templates of Dockerfiles: `# include PART name="value"` lines and `{{name}}` placeholders
import { readFileSync } from 'node:fs';

const TEMPLATES = new URL('templates/', import.meta.url);
const INCLUDE = /^# include ([a-z-]+)((?: [a-z]+="[^"]*")*)$/gm;
const ARGUMENT = / ([a-z]+)="([^"]*)"/g;
const PLACEHOLDER = /\{\{([a-z]+)\}\}/g;

/** The values of a template's placeholders, by their names. */
export type TemplateValues = Readonly<Record<string, string>>;

/**
 * Renders a template.
 *
 * @param name - such as `service`, of `templates/service.Dockerfile`
 * @throws Error if the template or one of its parts does not exist, or a placeholder has no value
 */
export function renderTemplate(name: string, values: TemplateValues): string {
  return render(`${name}.Dockerfile`, values);
}

function render(file: string, values: TemplateValues): string {
  const included = readFileSync(new URL(file, TEMPLATES), 'utf8').replaceAll(
    INCLUDE,
    (_line, part: string, written: string) => {
      const own = [...written.matchAll(ARGUMENT)].map(([, name = '', value = '']) => [
        name,
        fill(file, value, values),
      ]);
      return render(`parts/${part}.Dockerfile`, Object.fromEntries(own) as TemplateValues).trimEnd();
    },
  );
  return fill(file, included, values);
}

function fill(file: string, text: string, values: TemplateValues): string {
  return text.replaceAll(PLACEHOLDER, (placeholder, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new Error(
        `${file}: ${placeholder} has no value, expected one of ${Object.keys(values).join(', ')}`,
      );
    return value;
  });
}
