/** Small drawings, 16 units wide, in the colour of the text beside them. */
const PATHS = {
  plus: 'M8 3v10M3 8h10',
  down: 'M8 2.5v8m0 0L4.8 7.3M8 10.5l3.2-3.2M3 13.5h10',
  up: 'M8 10.5v-8m0 0L4.8 5.7M8 2.5l3.2 3.2M3 13.5h10',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3 13.5 13.5',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  star: 'm8 2.2 1.75 3.6 3.95.55-2.87 2.76.7 3.92L8 11.16l-3.53 1.87.7-3.92L2.3 6.35l3.95-.55L8 2.2Z',
  stop: 'M4.5 4.5h7v7h-7z',
  play: 'M5.2 3.4v9.2L12.6 8 5.2 3.4Z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  camera: 'M2.5 5h2.4l1-1.5h4.2l1 1.5h2.4v7.5h-11V5ZM8 10.6a2.1 2.1 0 1 0 0-4.2 2.1 2.1 0 0 0 0 4.2Z',
  copy: 'M5.5 5.5h7v7h-7zM10.5 5.5v-2h-7v7h2',
  trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4M9.2 7v4',
  check: 'm3.2 8.4 3.2 3.2 6.4-7',
  cross: 'm4 4 8 8M12 4l-8 8',
  warning: 'M8 2.4 14 13H2L8 2.4ZM8 6.5V9.3M8 11.1h.01',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.4v3.4M8 5.2h.01',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.8V8l2.2 1.6',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  right: 'M6 3.5 10.5 8 6 12.5',
  upward: 'M3.5 10 8 5.5l4.5 4.5',
  downward: 'M3.5 6 8 10.5 12.5 6',
  fit: 'M2.5 6v-3.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  folder: 'M2 4h4l1.5 1.7H14V13H2V4Z',
  file: 'M4 2.2h5L12 5.2v8.6H4V2.2ZM9 2.2v3h3',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13 9.6A5.4 5.4 0 0 1 6.4 3a5.4 5.4 0 1 0 6.6 6.6Z',
  half: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 4.5h3.9M8 7h5M8 9.5h4.8M8 12h3',
  data: 'M8 6c3 0 5-.9 5-2s-2-2-5-2-5 .9-5 2 2 2 5 2ZM3 4v8c0 1.1 2 2 5 2s5-.9 5-2V4M3 8c0 1.1 2 2 5 2s5-.9 5-2',
  net: 'M3.5 5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM3.5 14a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM12.5 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3ZM4.9 4.2l6.2 3.1M4.9 11.8l6.2-3.1',
  grid: 'M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z',
  chart: 'M2.5 2.5v11h11M5 10l2.6-3.4 2.2 2L13 4.5',
  pen: 'm3 13 .7-3L11 2.8 13.2 5 5.9 12.3 3 13ZM9.5 4.3l2.2 2.2',
  dice: 'M2.5 2.5h11v11h-11zM5.5 5.5h.01M10.5 5.5h.01M8 8h.01M5.5 10.5h.01M10.5 10.5h.01',
  lock: 'M4 7.2h8v6.3H4zM5.5 7.2V5a2.5 2.5 0 0 1 5 0v2.2',
  link: 'M6.7 9.3a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 1 0-3.7-3.7l-.9.9M9.3 6.7a2.6 2.6 0 0 0-3.7 0L3.4 8.9a2.6 2.6 0 1 0 3.7 3.7l.9-.9',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name, filled = false }: { name: IconName; filled?: boolean }) {
  return (
    <svg class={filled ? 'icon filled' : 'icon'} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
