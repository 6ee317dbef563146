/** What can be drawn: boxes for those who act, pills for what is said, arrows between. Topology and flows become this. */

/** A box or a pill. */
export interface GraphNode {
  readonly id: string
  readonly kind: 'agent' | 'topic'
  readonly title: string
  /** A second line. */
  readonly detail: string
  /** Decides the colour; see `toneOf`. */
  readonly status: string
  /** Things to notice, in a few characters each. */
  readonly badges: readonly { readonly text: string; readonly tone: 'plain' | 'bad' | 'wait' }[]
  /** Handlings by status, for a box that stands for many. */
  readonly counts?: Readonly<Record<string, number>> | undefined
  readonly isCritical: boolean
  /** What else those must hear who cannot see it. */
  readonly label: string
}

/** An arrow. */
export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly label: string
  readonly style: 'plain' | 'critical' | 'late' | 'faint'
}

/** All of a drawing. */
export interface GraphModel {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** Size of a node in pixels; the style sheet keeps to it. */
export function sizeOf({ kind, title, detail, badges, counts }: GraphNode): {
  readonly width: number
  readonly height: number
} {
  const chars = Math.max(title.length * (kind === 'agent' ? 8.1 : 6.9), detail.length * 6.2, badgeChars(badges) * 6.6)
  const lines = 1 + Number(detail !== '') + Number(badges.length > 0)
  const height = (kind === 'agent' ? 18 : 12) + lines * 17 + (counts === undefined ? 0 : 9)
  return { width: Math.min(260, Math.max(kind === 'agent' ? 130 : 90, Math.ceil(chars) + 34)), height }
}

function badgeChars(badges: GraphNode['badges']): number {
  return badges.reduce((sum, { text }) => sum + text.length + 3, 0)
}
