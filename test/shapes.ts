/** '2×3 4' as the shapes [2, 3] and [4]. */
export const shapesOf = (text: string): number[][] => text.split(' ').map(shape => shape.split('×').map(Number))
