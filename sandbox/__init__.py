"""Stand-in departments for ThreeGaps: a linked synthetic province (合成数据) behind real servers."""
