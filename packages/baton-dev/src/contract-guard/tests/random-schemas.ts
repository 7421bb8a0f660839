import * as fc from 'fast-check';
import * as z from 'zod';

/** A schema as data, from which a changed schema and values can be generated. */
export type Plan =
  | { readonly kind: 'text'; readonly min: number; readonly max: number }
  | { readonly kind: 'number'; readonly whole: boolean; readonly max: number }
  | { readonly kind: 'values'; readonly values: readonly string[] }
  | { readonly kind: 'null' }
  | { readonly kind: 'list' | 'record'; readonly of: Plan; readonly most: number }
  | { readonly kind: 'pair'; readonly of: readonly Plan[] }
  | { readonly kind: 'union'; readonly of: readonly Plan[] }
  | { readonly kind: 'object'; readonly rest: Rest; readonly properties: readonly Property[] };

type Rest = 'strip' | 'strict' | 'loose';

interface Property {
  readonly name: string;
  readonly plan: Plan;
  readonly presence: 'required' | 'optional' | 'default';
}

const NAMES = ['a', 'b', 'c'];
const name = fc.constantFrom(...NAMES);
const rest = fc.constantFrom<Rest[]>('strip', 'strip', 'strip', 'strict', 'loose');
const presence = fc.constantFrom<Property['presence'][]>('required', 'optional', 'default');

/** A form of a union: an object with a property whose constant value identifies the form. */
function form(properties: readonly Property[], index: number): Plan {
  const kind: Property = {
    name: 'kind',
    plan: { kind: 'values', values: [String(index)] },
    presence: 'required',
  };
  return { kind: 'object', rest: 'strip', properties: [kind, ...properties] };
}

const arbitrary = fc.letrec<{
  plan: Plan;
  properties: Property[];
  property: Property;
}>((tie) => ({
  plan: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.record({ kind: fc.constant('text'), min: fc.nat(2), max: fc.integer({ min: 2, max: 4 }) }),
    fc.record({ kind: fc.constant('number'), whole: fc.boolean(), max: fc.integer({ min: 2, max: 9 }) }),
    fc.record({
      kind: fc.constant('values'),
      values: fc.uniqueArray(fc.constantFrom('a', 'b', 'aa', 'bbb'), { minLength: 1 }),
    }),
    fc.record({ kind: fc.constant('null') }),
    fc.record({ kind: fc.constantFrom('list', 'record'), of: tie('plan'), most: fc.nat(3) }),
    fc.record({ kind: fc.constant('pair'), of: fc.array(tie('plan'), { minLength: 1, maxLength: 2 }) }),
    fc.record({ kind: fc.constant('union'), of: fc.array(tie('plan'), { minLength: 2, maxLength: 3 }) }),
    fc.record({
      kind: fc.constant('union'),
      of: fc.array(tie('properties'), { minLength: 2, maxLength: 3 }).map((forms) => forms.map(form)),
    }),
    fc.record({ kind: fc.constant('object'), rest, properties: tie('properties') }),
    fc.record({ kind: fc.constant('object'), rest, properties: tie('properties') }),
  ),
  properties: fc.uniqueArray(tie('property'), { selector: (each) => each.name, maxLength: 3 }),
  property: fc.record({ name, plan: tie('plan'), presence }),
}));

/** An object's schema, and the same schema with one change. */
export const planAndChange: fc.Arbitrary<readonly [Plan, Plan]> = fc
  .record({ kind: fc.constant('object' as const), rest, properties: arbitrary.properties })
  .chain((released) => changed(released).map((now) => [released, now] as const));

/** A copy of a plan with a change. */
function like(of: Plan, difference: object): Plan {
  return { ...of, ...difference };
}

/** The same schema, or one with a change in one place. */
function changed(released: Plan): fc.Arbitrary<Plan> {
  const inside = insideChanged(released);
  return fc.oneof({ weight: 4, arbitrary: inside }, { weight: 1, arbitrary: here(released) });
}

function insideChanged(released: Plan): fc.Arbitrary<Plan> {
  switch (released.kind) {
    case 'list':
    case 'record':
      return changed(released.of).map((of) => like(released, { of }));
    case 'pair':
    case 'union':
      return fc
        .nat(released.of.length - 1)
        .chain((index) =>
          changed(released.of[index] as Plan).map((now) =>
            like(released, { of: released.of.map((each, place) => (place === index ? now : each)) }),
          ),
        );
    case 'object':
      return fc.oneof(addition(released.properties, released), ofProperty(released));
    case 'text':
    case 'number':
    case 'values':
    case 'null':
      return here(released);
  }
}

function addition(properties: readonly Property[], released: Plan): fc.Arbitrary<Plan> {
  const free = (each: Property): boolean => properties.every((other) => other.name !== each.name);
  return arbitrary.property.map((each) =>
    free(each) ? ({ ...released, properties: [...properties, each] } as Plan) : released,
  );
}

function ofProperty(released: Plan & { kind: 'object' }): fc.Arbitrary<Plan> {
  if (released.properties.length === 0) return fc.constant(released);
  return fc.nat(released.properties.length - 1).chain((index) => {
    const each = released.properties[index] as Property;
    const others = released.properties.filter((other) => other !== each);
    const withOne = (one: Property): Plan => ({ ...released, properties: [...others, one] });
    return fc.oneof(
      changed(each.plan).map((now) => withOne({ ...each, plan: now })),
      presence.map((now) => withOne({ ...each, presence: now })),
      fc.constant({ ...released, properties: others }),
    );
  });
}

function here(released: Plan): fc.Arbitrary<Plan> {
  switch (released.kind) {
    case 'text':
      return fc.nat(2).map((min) => like(released, { min }));
    case 'number':
      return fc.boolean().map((whole) => like(released, { whole }));
    case 'object':
      return rest.map((now) => like(released, { rest: now }));
    case 'union':
      return arbitrary.plan.map((more) => like(released, { of: [...released.of, more] }));
    case 'list':
      return fc.nat(3).map((most) => like(released, { most }));
    case 'values':
    case 'null':
    case 'record':
    case 'pair':
      return fc.oneof(arbitrary.plan, fc.constant<Plan>({ kind: 'union', of: [released, { kind: 'null' }] }));
  }
}

/** The zod schema of a plan. */
export function schemaOf(of: Plan): z.ZodType {
  switch (of.kind) {
    case 'text':
      return z.string().min(of.min).max(of.max);
    case 'number':
      return of.whole ? z.int().max(of.max) : z.number().max(of.max);
    case 'values':
      return z.enum(of.values as [string]);
    case 'null':
      return z.null();
    case 'list':
      return z.array(schemaOf(of.of)).max(of.most);
    case 'record':
      return z.record(z.string(), schemaOf(of.of));
    case 'pair':
      return z.tuple(of.of.map(schemaOf) as [z.ZodType]);
    case 'union':
      return z.union(of.of.map(schemaOf));
    case 'object':
      return objectOf(of);
  }
}

function objectOf({ rest: others, properties }: Plan & { kind: 'object' }): z.ZodType {
  const shape = Object.fromEntries(properties.map((each) => [each.name, propertyOf(each)]));
  if (others === 'strict') return z.strictObject(shape);
  return others === 'loose' ? z.looseObject(shape) : z.object(shape);
}

function propertyOf(each: Property): z.ZodType {
  const schema = schemaOf(each.plan);
  if (each.presence === 'required') return schema;
  return each.presence === 'optional' ? schema.optional() : schema.default(exampleOf(each.plan) as never);
}

function exampleOf(of: Plan): unknown {
  switch (of.kind) {
    case 'text':
      return 'aa';
    case 'number':
      return 1;
    case 'values':
      return of.values[0];
    case 'null':
      return null;
    case 'list':
      return [];
    case 'record':
      return {};
    case 'pair':
      return of.of.map(exampleOf);
    case 'union':
      return exampleOf(of.of[0] as Plan);
    case 'object':
      return Object.fromEntries(of.properties.map((each) => [each.name, exampleOf(each.plan)]));
  }
}

/** Valid values of a plan's schema. They have unknown properties only if the schema accepts all. */
export function valueOf(of: Plan): fc.Arbitrary<unknown> {
  switch (of.kind) {
    case 'text':
      return fc.string({ minLength: of.min, maxLength: of.max, unit: fc.constantFrom('a', 'b') });
    case 'number':
      return of.whole ? fc.integer({ min: 0, max: of.max }) : fc.double({ min: 0, max: of.max, noNaN: true });
    case 'values':
      return fc.constantFrom(...of.values);
    case 'null':
      return fc.constant(null);
    case 'list':
      return fc.array(valueOf(of.of), { maxLength: of.most });
    case 'record':
      return fc.dictionary(name, valueOf(of.of), { maxKeys: 2 });
    case 'pair':
      return fc.tuple(...of.of.map(valueOf));
    case 'union':
      return fc.oneof(...of.of.map(valueOf));
    case 'object':
      return valueOfObject(of);
  }
}

function valueOfObject({ rest: others, properties }: Plan & { kind: 'object' }): fc.Arbitrary<unknown> {
  const known = Object.fromEntries(properties.map((each) => [each.name, valueOf(each.plan)]));
  const requiredKeys = properties.filter((each) => each.presence === 'required').map((each) => each.name);
  const own = fc.record(known, { requiredKeys, noNullPrototype: true });
  if (others !== 'loose') return own;
  const unknown = fc.dictionary(name, fc.constantFrom<unknown>('a', 1, null), {
    maxKeys: 2,
    noNullPrototype: true,
  });
  const free = (more: object): object =>
    Object.fromEntries(Object.entries(more).filter(([key]) => !(key in known)));
  return fc.tuple(unknown, own).map(([more, object]) => Object.assign(free(more), object));
}
