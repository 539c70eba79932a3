import { describeRarity, describeSabotages, sabotages } from './describe-sabotage.js'

describeSabotages(Object.keys(sabotages) as (keyof typeof sabotages)[], 150)
describeRarity(60)
