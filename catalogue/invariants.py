def find_violations(): return []
