// Places on the globe as numbers: 26 bits of latitude and 26 of longitude, interleaved, longitude first
// (https://en.wikipedia.org/wiki/Geohash). 52 bits are a whole number that a double, and so a score, holds
// exactly; places near each other mostly have near numbers.
//
//   cell     | longitude bit | latitude bit | longitude bit | ...     2 bits a step, most significant first
//
// Latitude ends at 85.05112878 degrees, where the Mercator map is square. Distances are great circles on a sphere
// (haversine), accurate to 0.5 %. Limits, radius and formulas are those of Redis's GEO commands.

export const LONGITUDE_MAX = 180;
export const LATITUDE_MAX = 85.05112878;
/** Steps of a whole hash. */
export const STEPS_MAX = 26;

const EARTH_RADIUS_METERS = 6372797.560856;
const MERCATOR_METERS_MAX = 20037726.37;
const RADIANS = Math.PI / 180;
const TEXT_ALPHABET = '0123456789bcdefghjkmnpqrstuvwxyz';
const TEXT_LENGTH = 11;

/** A place in degrees: filled by decodePlace(). */
export const place = { longitude: 0, latitude: 0 };

/** A cell of a grid of 2^steps by 2^steps: column from the west, row from the south. */
export interface Cell {
  readonly column: number;
  readonly row: number;
  readonly steps: number;
}

/** The 16 low bits of a number, each followed by a zero (Bit Twiddling Hacks, "Interleave bits"). */
function spread(bits: number): number {
  let x = bits & 0xffff;
  x = (x | (x << 8)) & 0x00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f;
  x = (x | (x << 2)) & 0x33333333;
  return (x | (x << 1)) & 0x55555555;
}

/** Every other bit of 32, from bit 0 on. */
function gather(bits: number): number {
  let x = bits & 0x55555555;
  x = (x | (x >>> 1)) & 0x33333333;
  x = (x | (x >>> 2)) & 0x0f0f0f0f;
  x = (x | (x >>> 4)) & 0x00ff00ff;
  return (x | (x >>> 8)) & 0xffff;
}

function interleave(column: number, row: number): number {
  const low = (spread(row) | (spread(column) << 1)) >>> 0;
  const high = (spread(row >>> 16) | (spread(column >>> 16) << 1)) >>> 0;
  return high * 2 ** 32 + low;
}

/** The cell that a place lies in, on a map whose latitude ends at `latitudeMax`. */
function cellOf(longitude: number, latitude: number, steps: number, latitudeMax: number): Cell {
  const size = 2 ** steps;
  const column = Math.floor(((longitude + LONGITUDE_MAX) / (2 * LONGITUDE_MAX)) * size);
  const row = Math.floor(((latitude + latitudeMax) / (2 * latitudeMax)) * size);
  return { column, row, steps };
}

/** The number of a place. */
export function encodePlace(longitude: number, latitude: number): number {
  const { column, row } = cellOf(longitude, latitude, STEPS_MAX, LATITUDE_MAX);
  return interleave(column, row);
}

/** Fills `place` with the middle of a number's cell; what is beyond the map lies at its edge. */
export function decodePlace(hash: number): void {
  const whole = Math.trunc(hash);
  const high = Math.floor(whole / 2 ** 32);
  const low = whole - high * 2 ** 32;
  const row = gather(low | 0) + gather(high | 0) * 2 ** 16;
  const column = gather((low >>> 1) | 0) + gather((high | 0) >>> 1) * 2 ** 16;
  const size = 2 ** STEPS_MAX;
  place.longitude = middle(column, size, LONGITUDE_MAX);
  place.latitude = middle(row, size, LATITUDE_MAX);
}

function middle(index: number, size: number, max: number): number {
  const low = -max + ((index * 1.0) / size) * (2 * max);
  const high = -max + (((index + 1) * 1.0) / size) * (2 * max);
  return Math.min(Math.max((low + high) / 2, -max), max);
}

/** The text of a place as geohash.org writes it, 11 letters, of which the last says nothing. */
export function placeText(longitude: number, latitude: number): string {
  const { column, row } = cellOf(longitude, latitude, STEPS_MAX, 90);
  const bits = interleave(column, row);
  let text = '';
  for (let i = 1; i < TEXT_LENGTH; i++) {
    text += TEXT_ALPHABET[Math.floor(bits / 2 ** (2 * STEPS_MAX - 5 * i)) % 32];
  }
  return `${text}0`;
}

// --- distances -----------------------------------------------------------------------------------

function latitudeMeters(latitudeA: number, latitudeB: number): number {
  return EARTH_RADIUS_METERS * Math.abs(latitudeB * RADIANS - latitudeA * RADIANS);
}

/** Meters between two places. */
export function distanceMeters(
  longitudeA: number,
  latitudeA: number,
  longitudeB: number,
  latitudeB: number,
): number {
  const v = Math.sin((longitudeB * RADIANS - longitudeA * RADIANS) / 2);
  if (v === 0) return latitudeMeters(latitudeA, latitudeB);
  const a = latitudeA * RADIANS;
  const b = latitudeB * RADIANS;
  const u = Math.sin((b - a) / 2);
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(u * u + Math.cos(a) * Math.cos(b) * v * v));
}

// --- searching -----------------------------------------------------------------------------------

/** What is searched: a circle (height NaN, width its radius) or a rectangle around a place, in meters. */
export interface Shape {
  readonly longitude: number;
  readonly latitude: number;
  readonly isCircle: boolean;
  /** Of a circle both are the radius; of a rectangle half of its width and height. */
  readonly halfWidth: number;
  readonly halfHeight: number;
}

/** Meters from the middle of a shape to a place in it; -1 when the place is not in it. */
export function distanceInside(shape: Shape, longitude: number, latitude: number): number {
  const distance = distanceMeters(shape.longitude, shape.latitude, longitude, latitude);
  if (shape.isCircle) return distance <= shape.halfWidth ? distance : -1;
  if (latitudeMeters(latitude, shape.latitude) > shape.halfHeight) return -1;
  const across = distanceMeters(longitude, latitude, shape.longitude, latitude);
  return across > shape.halfWidth ? -1 : distance;
}

/** Steps of a grid whose cells are about as large as the radius. */
function stepsFor(radius: number, latitude: number): number {
  if (radius === 0) return STEPS_MAX;
  let steps = 1;
  for (let meters = radius; meters < MERCATOR_METERS_MAX; meters *= 2) steps++;
  steps -= 2;
  const fromEquator = Math.abs(latitude);
  if (fromEquator > 66) steps--; // cells are narrower towards the poles
  if (fromEquator > 80) steps--;
  return Math.min(Math.max(steps, 1), STEPS_MAX);
}

interface Bounds {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

function boundsOf(shape: Shape): Bounds {
  const { longitude, latitude } = shape;
  const up = shape.halfHeight / EARTH_RADIUS_METERS / RADIANS;
  const poleward = latitude < 0 ? latitude - up : latitude + up;
  const across = shape.halfWidth / EARTH_RADIUS_METERS / Math.cos(poleward * RADIANS) / RADIANS;
  return {
    west: longitude - across,
    east: longitude + across,
    south: latitude - up,
    north: latitude + up,
  };
}

function cellBounds({ column, row, steps }: Cell): Bounds {
  const size = 2 ** steps;
  return {
    west: -LONGITUDE_MAX + (column / size) * (2 * LONGITUDE_MAX),
    east: -LONGITUDE_MAX + ((column + 1) / size) * (2 * LONGITUDE_MAX),
    south: -LATITUDE_MAX + (row / size) * (2 * LATITUDE_MAX),
    north: -LATITUDE_MAX + ((row + 1) / size) * (2 * LATITUDE_MAX),
  };
}

/**
 * The cell so many columns and rows away; the map goes round at its edges. A place at the very edge lies in a
 * column or row beyond the last one, as its number does, and what is not moved stays there.
 */
function neighbour({ column, row, steps }: Cell, columns: number, rows: number): Cell {
  const mask = 2 ** steps - 1;
  return {
    column: columns === 0 ? column : (column + columns) & mask,
    row: rows === 0 ? row : (row + rows) & mask,
    steps,
  };
}

/** Whether the cell and its neighbours reach as far as the bounds. */
function covers(cell: Cell, bounds: Bounds): boolean {
  return (
    cellBounds(neighbour(cell, 0, 1)).north >= bounds.north &&
    cellBounds(neighbour(cell, 0, -1)).south <= bounds.south &&
    cellBounds(neighbour(cell, 1, 0)).east >= bounds.east &&
    cellBounds(neighbour(cell, -1, 0)).west <= bounds.west
  );
}

/** Columns and rows to the cells that are searched, the middle one first. */
const AROUND: readonly (readonly [columns: number, rows: number])[] = [
  [0, 0],
  [0, 1],
  [0, -1],
  [1, 0],
  [-1, 0],
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
];

/** The cells that a shape can reach into: at most nine, none twice. */
export function cellsAround(shape: Shape): Cell[] {
  const { longitude, latitude, halfWidth, halfHeight } = shape;
  const radius = shape.isCircle ? halfWidth : Math.hypot(halfWidth, halfHeight);
  const bounds = boundsOf(shape);
  let steps = stepsFor(radius, latitude);
  let cell = cellOf(longitude, latitude, steps, LATITUDE_MAX);
  if (steps > 1 && !covers(cell, bounds)) {
    steps--;
    cell = cellOf(longitude, latitude, steps, LATITUDE_MAX);
  }
  const inner = cellBounds(cell);
  const cells: Cell[] = [];
  for (const [columns, rows] of AROUND) {
    const isUseless =
      steps >= 2 &&
      ((rows < 0 && inner.south < bounds.south) ||
        (rows > 0 && inner.north > bounds.north) ||
        (columns < 0 && inner.west < bounds.west) ||
        (columns > 0 && inner.east > bounds.east));
    const next = neighbour(cell, columns, rows);
    const isKnown = cells.some(({ column, row }) => column === next.column && row === next.row);
    if (!isUseless && !isKnown) cells.push(next);
  }
  return cells;
}

/** The first number of a cell; those of the cell are below the first plus cellNumbers(). */
export function cellStart({ column, row, steps }: Cell): number {
  return interleave(column, row) * 4 ** (STEPS_MAX - steps);
}
export function cellNumbers({ steps }: Cell): number {
  return 4 ** (STEPS_MAX - steps);
}
