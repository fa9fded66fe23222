// Filters by name.
import { TemplateError } from '../values.ts';
import type { Filter } from './filter.ts';
import { listFilters } from './list-filters.ts';
import { textFilters } from './text-filters.ts';
import { valueFilters } from './value-filters.ts';

const filters: ReadonlyMap<string, Filter> = new Map(
  Object.entries({
    ...textFilters,
    ...listFilters,
    ...valueFilters,
    count: listFilters.length!,
    d: valueFilters.default!,
    e: textFilters.escape!,
  }),
);

export function filterNamed(name: string): Filter {
  const filter = filters.get(name);
  if (!filter) throw new TemplateError(`No filter named '${name}'.`);
  return filter;
}
